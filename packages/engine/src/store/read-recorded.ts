import type { Queryable } from "../core/database.ts"
import type { EndedTaskFacts } from "../core/events/change-watch.ts"
import type { TransitionFacts } from "../core/events/transition-event.ts"
import { type AttemptKey, attemptArrays } from "./attempt.ts"
import { TRANSITION_FACTS } from "./own-transitions.ts"
import { readEndedTasks } from "./read-ended-tasks.ts"
import { run } from "./run.ts"

/** Which of a worker's attempts have ended by its own word, and what was written with that. */
export interface Recorded {
  readonly attempts: readonly AttemptKey[]
  /** The rows of history of the same commits that are about the same tasks, in order. */
  readonly transitions: readonly TransitionFacts[]
  /** The tasks that ended by them. */
  readonly endedTasks: readonly EndedTaskFacts[]
}

/** Finds out what became of outcomes whose answer was lost. No call of the worker may be under way. */
export async function readRecorded(db: Queryable, workerId: number, keys: readonly AttemptKey[]): Promise<Recorded> {
  const ended = await run<AttemptKey>(db, {
    text: `
      select key.task_id as "taskId", key.step_no as "stepNo", key.attempt
      from unnest($2::uuid[], $3::smallint[], $4::smallint[]) as key (task_id, step_no, attempt)
      where exists (${ENDS})`,
    values: [workerId, ...attemptArrays(keys)],
  })
  if (ended.length === 0) return { attempts: [], transitions: [], endedTasks: [] }
  const transitions = await run<TransitionFacts>(db, {
    // One call, one commit, one time: it is the database's clock at its beginning.
    text: `
      select ${TRANSITION_FACTS}
      from tasker.transition_details
      where task_id = any ($2::uuid[])
        and worker_id = $1
        and at in (
          select ended.at
          from unnest($2::uuid[], $3::smallint[], $4::smallint[]) as key (task_id, step_no, attempt)
          cross join lateral (${ENDS}) as ended
        )
      order by transition_id`,
    values: [workerId, ...attemptArrays(ended)],
  })
  return { attempts: ended, transitions, endedTasks: await readEndedTasks(db, transitions) }
}

/** The row by which an attempt of worker $1 ended by its own word: a rescue has another cause. */
const ENDS = `
  select own.at
  from tasker.transitions as own
  where own.task_id = key.task_id
    and own.step_no = key.step_no
    and own.attempt = key.attempt
    and own.worker_id = $1
    and own.from_state = 'in_progress'
    and own.to_state in ('complete', 'error', 'skipped', 'waiting_for_retry')
    and (own.cause is null or own.cause = 'timeout')`
