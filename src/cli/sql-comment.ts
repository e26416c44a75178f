/**
 * As comment lines of a script. Both ends of a line that psql and the server know end a comment: what follows one in a name,
 * which anybody may give who makes tables, would be run by whoever runs the script.
 */
export function sqlComment(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r]/).map((line) => `-- ${line}`);
}
