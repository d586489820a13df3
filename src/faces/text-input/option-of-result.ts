/** A result whose text was cut came by an option that cuts. */
export function tooLongOf({ truncated }: Readonly<Record<string, unknown>>): { readonly too_long?: 'truncate' } {
  return truncated === true ? { too_long: 'truncate' } : {};
}
