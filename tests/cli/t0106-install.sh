#!/usr/bin/env bash
# What `make install` puts where, and the pages of the manual.
. "$(dirname "$0")/../lib.sh"

test_expect 'make install puts the program, templates, completions and a page for every command where they are looked for' '
	LEAT_BIN=$LEAT_BIN "$CHECKOUT/tools/install" "$TRASH/dest" /usr > out && cd dest/usr && same bin/leat "$LEAT_BIN" && test -x bin/leat && test -f share/leat/templates/jobs/create_table_from_sql/job.yaml &&
	leat completion bash > b && same b share/bash-completion/completions/leat && leat completion zsh > z && same z share/zsh/site-functions/_leat && leat completion fish > f && same f share/fish/vendor_completions.d/leat.fish && leat config --schema job > s && same s share/leat/schema/job.json && test -f share/leat/schema/leat.json &&
	leat __man | sed "s/$/.1/" | sort > want && ls share/man/man1 | sort > got && same want got && has got leat.1 leat-put.1 leat-sql.1 && eq "$(stat -c %a share/man/man1/leat.1)" 644
'
test_expect 'a page has the name, the form, each option, the examples, the exit status and the other words' '
	leat __man leat-sql > p && has p "TH \"LEAT-SQL\" 1" "leat-sql" "SH SYNOPSIS" "max\\-rows" "SH EXAMPLES" "SH EXIT STATUS" && leat __man leat-wait > q && has q "OTHER WORDS" "flush\\-commit" &&
	leat __man leat > w && for c in $(leat __man | sed -n "s/^leat-//p"); do has w "leat\\-$c"; done && has w LEAT_WORKSPACE && exits 2 leat __man leat-nosuch
'
pages() { # every page into pages/
	mkdir -p pages && for p in $(leat __man); do leat __man "$p" >"pages/$p.1"; done
}
test_expect 'the pages' 'pages'
if command -v mandoc >/dev/null; then
	# a page of a program that is not released has no date
	test_expect 'mandoc finds no fault in any page' '
		mandoc -T lint -W warning pages/*.1 > found || true; grep -v "missing date" found > faults || true; eq "$(cat faults)" ""
	'
else
	test_skip 'mandoc finds no fault in any page' 'mandoc is not installed'
fi
if command -v groff >/dev/null; then
	test_expect 'groff formats every page without a warning, and what is printed can be copied back' '
		for p in pages/*.1; do groff -man -Tutf8 -ww "$p" > "$p.txt" 2>> faults2; done; eq "$(cat faults2)" "" && groff -man -Tascii -P-c pages/leat-sql.1 | sed "s,.\x08,,g" > t && has t "leat sql \"from raw.orders at (version => '"'master.2'"')\"" "--max-rows N"
	'
else
	test_skip 'groff formats every page without a warning' 'groff is not installed'
fi
if command -v man >/dev/null; then
	test_expect 'man shows a page' '
		MANPAGER=cat MANWIDTH=80 man -l pages/leat-put.1 > t 2> err && has t "leat-put" "--message TEXT" && eq "$(cat err)" "" && awk "length > 82" t > long && eq "$(cat long)" ""
	'
else
	test_skip 'man shows a page' 'man is not installed'
fi
test_done
