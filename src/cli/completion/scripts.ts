/** Each asks `tidelock complete` for what may stand at the cursor; its first line says whether files may. */
export const scripts = {
  bash: `# bash completion for tidelock: source it, or put it into /etc/bash_completion.d
_tidelock() {
  local line first=1 IFS=$'\\n'
  COMPREPLY=()
  for line in $(tidelock complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); do
    if [ -n "$first" ]; then
      first=
      if [ "$line" = ':files' ]; then compopt -o default; return; fi
      continue
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done
}
complete -F _tidelock tidelock
`,
  zsh: `#compdef tidelock
# zsh completion for tidelock: source it behind compinit, or put it as _tidelock into a folder of $fpath
_tidelock() {
  local -a lines described
  local line
  lines=("\${(@f)$(tidelock complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ':files' ]]; then
    _files
    return
  fi
  for line in "\${(@)lines[2,-1]}"; do
    [[ -z $line ]] && continue
    described+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done
  _describe tidelock described
}
if [[ $funcstack[1] == _tidelock ]]; then
  _tidelock "$@"
else
  compdef _tidelock tidelock
fi
`,
  fish: `# fish completion for tidelock: put it into ~/.config/fish/completions/tidelock.fish
function __tidelock_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (tidelock complete -- $words[2..-1] "$current" 2>/dev/null)
  if test "$lines[1]" = ':files'
    __fish_complete_path "$current"
    return
  end
  printf '%s\\n' $lines[2..-1]
end
complete -c tidelock -f -a '(__tidelock_complete)'
`,
} as const;

export type Shell = keyof typeof scripts;
export const shells = Object.keys(scripts) as readonly Shell[];
