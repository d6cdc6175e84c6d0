/**
 * A class of the platform, where the libraries of the program that is compiled declare it. The library's types name it in this
 * way, because the libraries of a program for Node have no WebGPU and no files of browsers.
 */
export type PlatformClass<Name extends string, Otherwise = never> =
  typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Class }>> ? Class : Otherwise
