# shellcheck shell=bash
# Completion of rowlock for bash. In ~/.bashrc:
#     source <(rowlock completion bash)
# What may stand at the cursor is asked of rowlock itself. What was typed is passed on as it is, and never evaluated.
_rowlock() {
  local rest=${COMP_LINE:0:COMP_POINT} before word line value i
  local -a typed=()
  # bash splits at = and : too; here a word ends at a blank only.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    before=$rest
    rest=${rest#"${rest%%[![:space:]]*}"}
    if ((i == COMP_CWORD)); then word=$rest; else word=${COMP_WORDS[i]}; fi
    if ((i > 0)) && [[ $before == "$rest" ]]; then
      typed[${#typed[@]} - 1]+=$word
    else
      typed+=("$word")
    fi
    rest=${rest#"$word"}
  done
  # bash replaces its own last piece ($2) alone: what stands before that is not repeated.
  local kept=${typed[${#typed[@]} - 1]%"$2"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      =*)
        value=${line#=}
        value=${value%%$'\t'*}
        COMPREPLY+=("$(printf '%q' "${value#"$kept"}")")
        ;;
      @files)
        # A word that begins with @ is a host's name to bash.
        if [[ $2 == @* ]]; then
          while IFS= read -r value; do COMPREPLY+=("@$(printf '%q' "$value")"); done < <(compgen -f -- "${2#@}")
        else
          compopt -o default
        fi
        ;;
    esac
  done < <("$1" complete -- "${typed[@]:1}" 2>/dev/null)
}
complete -F _rowlock rowlock
