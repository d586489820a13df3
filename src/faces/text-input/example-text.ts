/** A text that has every letter. */
export const exampleText = 'The quick brown fox jumps over the lazy dog.';
