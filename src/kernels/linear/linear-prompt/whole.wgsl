// The inputs are never split. A part of linear-prompt.wgsl.

fn keep_parts(sums: ptr<function, Sums>, row: u32, column: u32, part: u32, parts_of_row: u32) {}
