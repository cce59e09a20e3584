/** A reporter for knip, whose own say nothing of how many files they saw. */
export default function countFiles({ counters }) {
  console.log(`saw ${counters.processed} files`)
}
