#!/usr/bin/env bash
# Programs called leat-NAME become commands (issue: "a program leat-NAME on PATH or in commands/ becomes leat NAME").
. "$(dirname "$0")/../lib.sh"

mkdir -p bin && cat > bin/leat-hello <<'X'
#!/bin/sh
# prints what it was given and where it is
echo "hello $* from ${LEAT_WORKSPACE##*/} as ${0##*/}"
exit 7
X
chmod +x bin/leat-hello
export PATH=$TRASH/bin:$PATH

test_expect 'a program leat-NAME on PATH is the command NAME, with its words and its exit status' '
	exits 7 leat hello a "b c" --json > out && has out "hello a b c --json from"
'
test_expect 'it is told which workspace it was called in' '
	workspace w && mkdir deep && cd deep && exits 7 leat hello > out && has out "from w as"
'
test_expect 'an executable in commands/ of the workspace is a command there, by its bare name too' '
	workspace v && mkdir commands && printf "#!/bin/sh\necho count \$#\n" > commands/tally && chmod +x commands/tally &&
	printf "#!/bin/sh\necho second\n" > commands/leat-other && chmod +x commands/leat-other && echo no > commands/readme &&
	leat tally 1 2 > out && has out "count 2" && leat other > out && has out second && exits 2 leat readme 2> err &&
	leat -C "$TRASH/v" tally > out && has out "count 0" && cd .. && exits 2 leat tally 2> err
'
test_expect 'both are listed in the help and offered by the completion' '
	cd v && leat help > out && has out "More commands" "  hello" "  tally" "  other" && lacks out "readme" &&
	leat __complete ta > out && has out tally && leat __complete hel > out && has out hello help
'
test_expect 'a command of our own wins over a program of the same name' '
	printf "#!/bin/sh\necho mine\n" > bin/leat-ls && chmod +x bin/leat-ls && cd v && leat ls > out 2>&1 && lacks out mine
'
test_expect 'a program wins over a guess at an unfinished word' '
	printf "#!/bin/sh\necho mine\n" > bin/leat-stat && chmod +x bin/leat-stat && cd v && leat stat > out && has out mine
'
test_expect 'no word with a slash or a leading dot starts a program' '
	cd v && printf "#!/bin/sh\necho gotcha\n" > evil && chmod +x evil && cp evil leat-.x && exits 2 leat ../evil > out 2>&1 && lacks out gotcha &&
	exits 2 leat ./evil > out 2>&1 && lacks out gotcha
'
test_done
