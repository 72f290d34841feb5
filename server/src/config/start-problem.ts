/** Why the server cannot start, in one line that says what to do. The command line prints it and ends with an exit code other than 0. */
export class StartProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'StartProblem'
  }
}
