// Written by its owner; this line lets the workspace compile until then.
export {}
