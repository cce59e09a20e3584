// This line lets the workspace compile until the first test is here.
export {}
