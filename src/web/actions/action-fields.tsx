import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Action, ActionField } from './action.ts';
import { type FieldValues, faultOf } from './field-values.ts';

export interface ActionFieldsProps {
  readonly action: Action;
  readonly values: FieldValues;
  readonly onChange: (values: FieldValues) => void;
  /** What was typed to confirm. */
  readonly typed: string;
  readonly onTyped: (text: string) => void;
}

/** What the one who asks fills in. */
export function ActionFields({ action, values, onChange, typed, onTyped }: ActionFieldsProps) {
  const { fields, reasonNeeded } = action;
  const change = (more: Partial<FieldValues>) => onChange({ ...values, ...more });
  const text = (field: Exclude<ActionField, 'withEarlier'>) => ({
    value: values[field],
    fault: faultOf(field, values),
    onInput: (value: string) => change({ [field]: value }),
  });
  return (
    <>
      {fields.includes('newName') && <TextField label="New name" needed maxLength={30} {...text('newName')} />}
      {fields.includes('position') && (
        <TextField
          label="Position in the source's log (empty: where the queue stands)"
          {...text('position')}
          onInput={() => {}}
          onSettled={(position) => change({ position })}
        />
      )}
      {fields.includes('duration') && (
        <TextField label="For how long (such as 30m or 2h; empty: until it is resumed)" {...text('duration')} />
      )}
      {fields.includes('withEarlier') && (
        <label class="check">
          <input
            type="checkbox"
            checked={values.withEarlier}
            onChange={(event) => change({ withEarlier: event.currentTarget.checked })}
          />
          Also those that they wait for
        </label>
      )}
      {fields.includes('reason') && (
        <TextField
          label={`Why, for the journal${reasonNeeded ? '' : ' (optional)'}`}
          needed={reasonNeeded}
          maxLength={500}
          {...text('reason')}
        />
      )}
      {action.typed !== null && (
        <TextField
          label={
            <>
              To confirm, type <code>{action.typed}</code>
            </>
          }
          value={typed}
          fault={null}
          onInput={onTyped}
        />
      )}
    </>
  );
}

interface TextFieldProps {
  readonly label: ComponentChildren;
  readonly value: string;
  readonly fault: string | null;
  readonly needed?: boolean;
  readonly maxLength?: number;
  readonly onInput: (value: string) => void;
  /** When the field is left, or Enter is pressed in it. */
  readonly onSettled?: (value: string) => void;
}

function TextField({ label, value, fault, needed = false, maxLength = 1000, onInput, onSettled }: TextFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...(onSettled === undefined ? { value } : { defaultValue: value })}
        onInput={(event) => onInput(event.currentTarget.value)}
        onChange={(event) => onSettled?.(event.currentTarget.value)}
        required={needed}
        maxLength={maxLength}
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : `${id}-fault`}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
      />
      {fault !== null && (
        <p id={`${id}-fault`} class="wrong">
          {fault}
        </p>
      )}
    </div>
  );
}
