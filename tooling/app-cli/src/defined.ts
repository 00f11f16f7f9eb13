/** `{ [name]: value }`, or nothing: an option that is there must not be undefined. */
export function defined<N extends string, V>(name: N, value: V | undefined): { readonly [n in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [n in N]?: V };
}
