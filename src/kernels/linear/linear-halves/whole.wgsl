// The inputs are never split. A part of linear-halves.wgsl.

fn keep_pair(sum0: Result, sum1: Result, row: u32, column: u32, part: u32, parts_of_row: u32) {}
