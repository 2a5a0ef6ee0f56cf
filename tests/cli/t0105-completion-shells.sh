#!/usr/bin/env bash
# Completion in zsh and fish, each at a terminal of its own: lines are typed, Tab is pressed, and what the line has become
# is looked at. What is offered is tested in t0102; here it is what these shells make of it.
. "$(dirname "$0")/../lib.sh"

PATH=$(dirname "$LEAT_BIN"):$PATH
t_tab=$TESTS/fake/tab.py
typed() { # SHELL SETUP, and on standard input pairs of lines: what is typed, and what it becomes at Tab (ended by |)
	local -a lines
	mapfile -t lines
	local -a asked want
	local i
	for ((i = 0; i < ${#lines[@]}; i += 2)); do
		asked+=("${lines[i]}")
		want+=("${lines[i + 1]}")
	done
	timeout 120 python3 "$t_tab" "$1" "$2" "${asked[@]}" >got && printf '%s\n' "${want[@]}" >want && same want got
}
made() {
	workspace w && echo 1 >f && leat put raw/trips:/2024/a.csv f && leat put raw/trips:/2024/b.csv f && leat put raw/zones:/x f &&
		leat put "raw/odd:/a b/c*d.csv" f && leat put "raw/odd:/a b/d[1].csv" f && leat tag raw/trips@mark master &&
		mkdir "some dir" && echo 1 >"some file"
}
test_expect 'a workspace' 'made'

same_in_both() { # lines that zsh and fish make the same of
	cat <<'L'
leat stat
leat status |
leat pla
leat pla|
leat put --mes
leat put --message |
leat sql --format mark
leat sql --format markdown |
leat completion z
leat completion zsh |
leat cat raw/trips:/20
leat cat raw/trips:/2024/|
leat cat raw/trips:/2024/a
leat cat raw/trips:/2024/a.csv |
leat log raw/trips@mar
leat log raw/trips@mark|
leat cat raw/odd:/a
leat cat raw/odd:/a\ b/|
leat cat raw/odd:/a\ b/c
leat cat raw/odd:/a\ b/c\*d.csv |
leat cat raw/odd:/a\ b/d\[
leat cat raw/odd:/a\ b/d\[1\].csv |
leat cat "raw/odd:/a b/d[
leat cat "raw/odd:/a b/d[1].csv" |
leat put raw/zones some\ f
leat put raw/zones some\ file |
leat init some
leat init some\ dir/|
leat nosuch x
leat nosuch x|
L
}
if command -v zsh >/dev/null; then
	test_expect 'zsh: words, options, repos, refs, paths, files and quotes' '
		cd w && same_in_both | typed zsh "eval \"\$(leat completion zsh)\""
	'
	test_expect 'zsh: what is ambiguous is listed with a text beside it' '
		cd w && timeout 60 python3 "$t_tab" list zsh "eval \"\$(leat completion zsh)\"" "leat pla" "leat cat raw/trips:/2024/" "leat config --schema " > got &&
		printf "playground\nplan\n\n/raw/trips:/2024/a.csv\n/raw/trips:/2024/b.csv\n\njob\nworkspace\n\n" | sed "s|^/||" > want && same want got
	'
	test_expect 'zsh: the same as a file _leat on fpath, loaded when it is first needed' '
		cd w && mkdir fp && leat completion zsh > fp/_leat && printf "leat stat\nleat status |\nleat cat raw/trips:/20\nleat cat raw/trips:/2024/|\n" | typed zsh "fpath=(\$PWD/fp \$fpath); autoload -Uz compinit; compinit -u -D"
	'
else
	test_skip 'zsh completes what bash does' 'zsh is not installed'
fi
if command -v fish >/dev/null; then
	test_expect 'fish: words, options, repos, refs, paths, files and quotes' '
		cd w && same_in_both | typed fish "leat completion fish | source"
	'
	test_expect 'fish: candidates with the text of the table beside them' '
		cd w && offered() { fish --no-config -c "leat completion fish | source; complete -C \$argv[1]" -- "$1" > got; } &&
		offered "leat pla" && has got "$(printf "plan\tWhat would run")" && has got "$(printf "playground\tMake a workspace")" &&
		offered "leat put --me" && has got "$(printf "%s\t" --message)" "$(printf "%s\tmetadata of the commit" --meta)" &&
		offered "leat ls raw/" && printf "raw/odd\nraw/trips\nraw/zones\n" > want && same want got && offered "leat init some" && eq "$(cat got)" "some dir/" &&
		offered "leat config time" && has got "$(printf "timezone\tThe time zone")"
	'
else
	test_skip 'fish completes what bash does' 'fish is not installed'
fi
test_expect 'a program that is gone or fails offers nothing, and says nothing' '
	cd / && eq "$(leat __describe ls ra 2>&1)" "" && eq "$(leat __describe run x 2>&1)" ""
'
test_done
