import type { ComponentChildren } from 'preact';
import type { Role } from '../api/documents.ts';

/** What the one who asks fills in: `newName` of a route, `position` in its source's log. */
export type ActionField = 'reason' | 'duration' | 'withEarlier' | 'newName' | 'position';

/** Something that can be asked of the service, and what somebody decides by who asks for it. */
export interface Action {
  readonly id: string;
  /** On the button: "Pause". */
  readonly label: string;
  /** What is changed: the name of a route, or of the deployment. */
  readonly subject: string;
  readonly role: Role;
  readonly method: 'POST' | 'DELETE';
  /** Below /v1. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly fields: readonly ActionField[];
  /** Why it is asked for has to be said. */
  readonly reasonNeeded: boolean;
  /** Where it is done: names and hosts. */
  readonly facts: readonly Fact[];
  /** What it does, in sentences. */
  readonly effect: readonly string[];
  /** The same at length, where sentences don't do. */
  readonly details: ComponentChildren;
  /** The service is asked first, with dryRun; what it would do, in sentences. */
  readonly rehearsed: ((answer: unknown) => readonly string[]) | null;
  /** It can't be taken back: this name is typed first. */
  readonly typed: string | null;
  /** Stands beside the heading, not among the others. */
  readonly prominent: boolean;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}
