// The product put out queries, keys and values, which were turned by the position already; so is what is added.
//
// y           [rows, OUT]                f32, OUT = (HEADS + 2 KV_GROUPS) * HEAD_DIM
// rope_table  [positions, HEAD_DIM / 4]  vec2<f32> (cos, sin)

@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> rope_table: array<vec4<f32>>;

fn add_four(row: u32, four: u32, value: vec4<f32>) {
  y[row * (OUT / 4u) + four] += turned(value, turn_of(four * 4u, rows[row].z));
}
