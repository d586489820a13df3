/** A command as the table has it: what it does is imported when it is called. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Runs it with the arguments behind its name; the result is the exit code, or undefined while the process lives on. */
  run(args: readonly string[]): Promise<number | undefined>;
}

/** Every command, in the order of the usage. No command loads another, and this table loads none. */
export const commands: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Serve the model repository (default)',
    // It checks zod itself, once it listens for signals.
    run: async (args) => (await import('./serve.ts')).serve(args, 'server'),
  },
  {
    name: 'worker',
    summary: 'Work on the background tasks of servers on the same DATABASE_URL',
    run: async (args) => (await import('./serve.ts')).serve(args, 'worker'),
  },
  {
    name: 'types',
    summary: 'Write TypeScript types for the models of a server or a folder',
    run: checked(async (args) => (await tools()).runCommand((await import('./commands/types.ts')).typesCommand, args)),
  },
  {
    name: 'face',
    summary: 'Show the typed face that is found in the files of a model, and try it',
    run: checked(async (args) => (await tools()).runCommand((await import('./commands/face.ts')).faceCommand, args)),
  },
  {
    name: 'check',
    summary: 'Validate a model repository, and name every fault',
    run: checked(async (args) => (await tools()).runCommand((await import('./commands/check.ts')).checkCommand, args)),
  },
  {
    name: 'conformance',
    summary: 'Examine a server of the Open Inference Protocol',
    run: checked(async (args) =>
      (await tools()).runCommand((await import('./commands/conformance.ts')).conformanceCommand, args),
    ),
  },
  {
    name: 'keys',
    summary: 'Make, list and revoke API keys',
    run: checked(async (args) => (await tools()).runCommand((await import('./commands/keys.ts')).keysCommand(), args)),
  },
  {
    name: 'traffic',
    summary: 'Show and change how the requests of a model are split between its versions',
    run: checked(async (args) =>
      (await tools()).runCommand((await import('./commands/traffic.ts')).trafficCommand, args),
    ),
  },
  {
    name: 'replay',
    summary: 'Give kept predictions to another version of their model',
    run: checked(async (args) =>
      (await tools()).runCommand((await import('./commands/replay.ts')).replayCommand, args),
    ),
  },
  {
    name: 'distribution',
    summary: 'Count the data that a model was trained on, to compare with',
    run: checked(async (args) =>
      (await tools()).runCommand((await import('./commands/distribution.ts')).distributionCommand, args),
    ),
  },
  {
    name: 'help',
    summary: 'Show this text, or with the name of a command how it is called, as --help does',
    run: checked(async ([name]) => {
      const command = commands.find((candidate) => candidate.name === name);
      if (command !== undefined && name !== 'help' && name !== 'version') return command.run(['--help']);
      const { usageOfAll } = await import('./usage-of-all.ts');
      process.stdout.write(usageOfAll(commands));
      return 0;
    }),
  },
  {
    name: 'version',
    summary: 'Show the version, as --version does',
    run: checked(async () => {
      const { packageVersion } = await import('./package-version.ts');
      process.stdout.write(`${packageVersion()}\n`);
      return 0;
    }),
  },
];

function tools() {
  return import('./arguments/run-command.ts');
}

/** Runs it after a look at the zod that is installed. */
function checked(run: Command['run']): Command['run'] {
  return async (args) => {
    const { requireZod } = await import('../domains/require-zod.ts');
    requireZod();
    return run(args);
  };
}
