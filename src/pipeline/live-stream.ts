import type { SourceReader } from '../core/source-reader.ts';
import type { TargetLooks } from './target-looks.ts';
import type { WatermarkWindows } from './watermark-windows.ts';

/** What work beside the stream has of it, for as long as it lives. */
export interface LiveStream {
  readonly windows: WatermarkWindows;
  readonly looks: TargetLooks;
  readonly reader: SourceReader;
  /** Aborts when the stream ends: nothing that was asked of it comes any more. */
  readonly ended: AbortSignal;
}
