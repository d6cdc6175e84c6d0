  }
  // The end of `main` in linear-prompt.wgsl.
  if (workgroups.z > 1u) {
    keep_parts(&sums, first_row + subgroup % 2u * 16u, tile_index * TILE_OUTPUTS + subgroup / 2u * 64u, workgroup.z, workgroups.z);
    return;
  }
  finish(sums.m00, sums.m01, sums.m02, sums.m03, tile_index, first_row, subgroup, lane);
  finish(sums.m10, sums.m11, sums.m12, sums.m13, tile_index, first_row + 32u, subgroup, lane);
  finish(sums.m20, sums.m21, sums.m22, sums.m23, tile_index, first_row + 64u, subgroup, lane);
  finish(sums.m30, sums.m31, sums.m32, sums.m33, tile_index, first_row + 96u, subgroup, lane);
}
