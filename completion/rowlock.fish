# Completion of rowlock for fish. In ~/.config/fish/config.fish:
#     rowlock completion fish | source
# What may stand at the cursor is asked of rowlock itself. What was typed is passed on as it is, and never evaluated.
function __rowlock_candidates
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    for line in ($program complete -- $words "$current" 2>/dev/null)
        switch $line
            case '=*'
                string sub -s 2 -- $line
            case @files
                set -l prefix (string match -r '^(?:--[^=]+=|@)' -- "$current")
                set -l path (string sub -s (math 1 + (string length -- "$prefix")) -- "$current")
                __fish_complete_path "$path" | string replace -r '^' -- "$prefix"
        end
    end
end
complete -c rowlock -f -a '(__rowlock_candidates)'
