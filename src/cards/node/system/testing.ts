import type { System } from './system.js'

/** A made-up machine: files by their paths, and what programs print; an Error is what one fails with. */
export function systemOf(
  files: Readonly<Record<string, string>>,
  programs: Readonly<Record<string, string | Error>> = {},
  platform: NodeJS.Platform = 'linux',
): System {
  const paths = Object.keys(files)
  return {
    platform,
    read: async (path) => files[path]?.trim(),
    list: async (folder) => [
      ...new Set(
        paths
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split('/')[0]),
      ),
    ],
    async run(program) {
      const output = programs[program]
      if (output instanceof Error) throw output
      return output
    },
  }
}

const information = (model: string, minor: number) =>
  `Model: \t\t ${model}\nIRQ:   \t\t 105\nVideo BIOS: \t 96.00.c1.00.01\nDevice Minor: \t ${minor}\nGPU Excluded:\t No\n`

/** Two equal cards whose device files are numbered the other way round than their addresses. */
export const TWO_H200 = systemOf(
  {
    '/dev/nvidia0': '',
    '/dev/nvidia1': '',
    '/dev/nvidiactl': '',
    '/proc/driver/nvidia/gpus/0000:1b:00.0/information': information('NVIDIA H200', 1),
    '/proc/driver/nvidia/gpus/0000:43:00.0/information': information('NVIDIA H200', 0),
  },
  {
    'nvidia-smi':
      'NVIDIA H200, 00000000:1B:00.0, 143771, 3900, 139871, 97, 412.53, 700.00\n' +
      'NVIDIA H200, 00000000:43:00.0, 143771, 0, 143166, 0, 76.11, 700.00\n',
  },
)
