  }
  // The end of `main` in linear-halves.wgsl.
  finish_tile(&sums, tile_index, first_row, subgroup, lane, workgroup.z, workgroups.z);
}
