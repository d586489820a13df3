/** What ONNX Runtime says when `StringNormalizer` wants a locale that the system lacks. */
const missingLocale = /Failed to construct locale with name:([A-Za-z]\w*)[^:]*:/;

/** Why a model cannot be loaded, in ONNX Runtime's words, with what to do about it where that is known. */
export function loadFailure(reason: string): string {
  const locale = missingLocale.exec(reason);
  if (locale === null) return `The model cannot be loaded: ${reason}`;
  const [, name] = locale;
  return (
    `The model cannot be loaded: it needs the locale ${name}.UTF-8, which this system lacks. On Debian: ` +
    `apt-get install locales && localedef -i ${name} -f UTF-8 ${name}.UTF-8 (the image of inferd has en_US.UTF-8). ` +
    `ONNX Runtime: ${reason.trim()}`
  );
}
