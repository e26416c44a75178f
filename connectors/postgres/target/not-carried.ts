/** Why a command is not carried out. */
export class NotCarried extends Error {}
