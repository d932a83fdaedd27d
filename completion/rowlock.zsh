#compdef rowlock
# Completion of rowlock for zsh. In ~/.zshrc, after compinit:
#     source <(rowlock completion zsh)
# What may stand at the cursor is asked of rowlock itself. What was typed is passed on as it is, and never evaluated.
_rowlock() {
  local line value description files
  local -a candidates
  local program=${(Q)words[1]}
  local -a typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  for line in ${(f)"$("$program" complete -- "${typed[@]}" 2>/dev/null)"}; do
    case $line in
      ('='*)
        value=${${line#=}%%$'\t'*}
        description=${line#*$'\t'}
        [[ $description == $line ]] && description=
        candidates+=("${${value//\\/\\\\}//:/\\:}:$description")
        ;;
      ('@files') files=yes ;;
    esac
  done
  if [[ -n $files ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '--*='
    [[ $PREFIX == @* ]] && compset -P '@'
    _files
  else
    _describe rowlock candidates
  fi
}
if [[ $funcstack[1] == _rowlock ]]; then
  _rowlock "$@"
else
  compdef _rowlock rowlock
fi
