#!/usr/bin/env bash
# The README says nothing that is not so: its commands are run, its output compared, its links followed.
. "$(dirname "$0")/../lib.sh"

mkdir -p bin && ln -s "$LEAT_BIN" bin/leat && export PATH=$TRASH/bin:$PATH COLUMNS=120

test_expect 'every command of the tour prints what the README shows' '
	unset -f leat && mkdir tour && cd tour && python3 "$TESTS/fake/readme.py" "$CHECKOUT/README.md"
'
test_expect 'a page that shows what is not so is told' '
	mkdir other && cd other && printf "\`\`\`console\n$ echo one\ntwo\n\`\`\`\n" > page.md && exits 1 python3 "$TESTS/fake/readme.py" page.md > out && has out "page: two" "real: one"
'
test_expect 'each line of the feature list names its page and its test' '
	python3 - "$CHECKOUT/README.md" <<P
import re, sys
rows = [l for l in open(sys.argv[1], encoding="utf-8") if l.startswith("| ") and not re.match(r"\| *(---|\|)", l)]
bad = [l for l in rows if not re.search(r"\(docs/", l) or not re.search(r"\(tests/", l)]
print("".join(bad))
sys.exit(not rows or len(bad) > 0)
P
'
test_done
