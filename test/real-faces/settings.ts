/** What a user would write beside the models that say too little of themselves. */
export const manifests: Readonly<Record<string, object>> = {
  'titanic-lightgbm': {
    face: {
      kind: 'table',
      input: 'input',
      target: 'survived',
      columns: [
        { name: 'pclass', type: 'integer' },
        { name: 'age', missing: 'nan' },
        { name: 'sib_sp' },
        { name: 'parch' },
        { name: 'fare' },
      ],
    },
    labels: { probabilities: ['died', 'survived'] },
  },
  'qa-en': { face: { kind: 'question-answering', text: { maxLength: 128, stride: 32 } } },
  'titanic-columns': {
    face: {
      kind: 'table',
      columns: [
        { name: 'age', missing: 'nan' },
        { name: 'fare', missing: 'nan' },
      ],
    },
  },
};
