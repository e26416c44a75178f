import { useState } from 'preact/hooks';
import { announce } from '../state/announcements.ts';

/** Copies a statement, a position or a transaction. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Absent where the page is served without TLS beyond loopback.
    if (navigator.clipboard === undefined) return;
    await navigator.clipboard.writeText(text);
    setCopied(true);
    announce(`${what} copied`);
    setTimeout(() => setCopied(false), 2000);
  };
  if (!window.isSecureContext) return null;
  return (
    <button type="button" class="small quiet" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {copied ? 'Copied' : 'Copy'}
    </button>
  );
}
