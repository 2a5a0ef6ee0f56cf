#!/usr/bin/env bash
# bash completion, driven through bash itself as a terminal would.
. "$(dirname "$0")/../lib.sh"

# tab 'LINE': what bash offers for the last word of LINE, one a line, sorted
tab() {
	PATH=$(dirname "$LEAT_BIN"):$PATH bash --norc --noprofile -c '
		eval "$(leat completion bash)"
		COMP_LINE=$1 COMP_POINT=${#1}
		# as readline parts words: at blanks and at each run of COMP_WORDBREAKS
		mapfile -t COMP_WORDS < <(python3 - "$1" <<"P"
import re, sys
line = sys.argv[1]
words = []
for chunk in re.split(r"\s+", line):
    words += [w for w in re.split(r"([:=@]+)", chunk) if w] or [""]
print("\n".join(words))
P
)
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		compopt() { :; }
		_leat leat "${COMP_WORDS[-1]}"
		[ ${#COMPREPLY[@]} = 0 ] || printf "%s\n" "${COMPREPLY[@]}"' tab "$1" | sort
}
offers() { # 'LINE' word…: exactly these
	local line=$1
	shift
	eq "$(tab "$line" | paste -sd' ')" "$*"
}

test_expect 'commands' '
	offers "leat pla" plan playground && offers "leat stat" status && tab "leat " > out && has out put run sql help
'
test_expect 'options of a command' '
	offers "leat put --mes" --message && tab "leat ls --" > out && has out --json --recursive --ds && lacks out --message
'
test_expect 'repos, and folders and files in them after a colon' '
	workspace w && echo 1 > f && leat put raw/trips:/2024/a.csv f && leat put raw/trips:/2024/b.csv f && leat put raw/trips:/x f &&
	leat put raw/zones f && leat put tables/sales f &&
	offers "leat ls ra" raw/trips raw/zones && offers "leat cat raw/tr" raw/trips raw/trips:/ &&
	offers "leat cat raw/trips:" /2024/ /x && offers "leat cat raw/trips:/" /2024/ /x && offers "leat cat raw/trips:/20" /2024/ &&
	offers "leat cat raw/trips:/2024/" /2024/a.csv /2024/b.csv && offers "leat diff raw/trips@master:/2" /2024/ &&
	offers "leat commit ta" tables/sales
'
test_expect 'branches and tags after an at sign' '
	cd w && leat branch raw/trips@main2 && leat tag raw/trips@mark master && offers "leat log raw/trips@" @main2 @mark @master && offers "leat ls raw/trips@mas" @master @master:/ && offers "leat ls raw/none@"
'
test_expect 'the commands that find and copy: options, repos and paths of each argument' '
	cd w && offers "leat glob raw/tr" raw/trips raw/trips:/ && offers "leat find raw/trips --na" --name && offers "leat cp raw/trips:/2024/a" /2024/a.csv && offers "leat cp raw/trips:/x ra" raw/trips raw/zones &&
	offers "leat diff raw/trips@master:/2024/ raw/trips:/2024/b" /2024/b.csv && offers "leat log raw/trips:/2" /2024/ && tab "leat get --" > out && has out --tar --range --recursive
'
test_expect 'names with blanks and pattern characters are offered so that the shell takes them back, quoted or not' '
	cd w && leat put "raw/odd:/a b/c*d.csv" f && leat put "raw/odd:/a b/c[1].csv" f && leat put "raw/odd:/é" f && offers "leat cat raw/odd:/a" "/a\\ b/" && offers "leat cat raw/odd:/a\\ b/" "/a\\ b/c\\*d.csv" "/a\\ b/c\\[1\\].csv" &&
	offers "leat cat raw/odd:/a\\ b/c\\*" "/a\\ b/c\\*d.csv" && offers "leat glob '"'raw/odd:/a b/c["'" "raw/odd:/a b/c[1].csv" && offers "leat cat \"raw/odd:/a b/c" "raw/odd:/a b/c*d.csv" "raw/odd:/a b/c[1].csv" && offers "leat cat raw/odd:/é" "/é"
'
test_expect 'ds of a repo for --ds, newest first' '
	cd w && leat put raw/days f --ds 2024-01-01 && leat put raw/days f --ds 2024-01-02 && leat put raw/days f --ds 2023-12-31 &&
	offers "leat ls raw/days --ds 2024" 2024-01-01 2024-01-02 && eq "$(leat __complete ls raw/days --ds "" | head -1)" 2024-01-02
'
test_expect 'jobs, and the ds of what they read and write' '
	cd w && mkdir -p jobs/totals && printf "kind: sql\ninputs: {days: raw/days}\noutput: tables/totals\npartition: daily\n" > jobs/totals/job.yaml &&
	echo "select count(*) n from days" > jobs/totals/job.sql &&
	offers "leat run to" totals && offers "leat plan t" totals && offers "leat run totals 2023" 2023-12-31 &&
	tab "leat run totals " > out && has out today newest 2024-01-02 && offers "leat logs tot" totals && offers "leat why tot" totals
'
test_expect 'files and folders where a command takes them' '
	cd w && mkdir "some dir" && echo 1 > "some file" && offers "leat put raw/zones some" "some dir" "some file" && offers "leat init some" "some dir"
'
test_expect 'templates and settings' '
	cd w && tab "leat new s" > out && has out sql script && offers "leat config time" timezone
'
test_expect 'another workspace by -C' '
	offers "leat -C w ls raw/z" raw/zones raw/zones:/
'
test_expect 'nothing, quietly, where there is no workspace or the line makes no sense' '
	cd / && offers "leat ls ra" && offers "leat nosuch x" && offers "leat run x"
'
test_expect 'one of a few words where an option takes no others' '
	offers "leat sql --format m" markdown && offers "leat find raw/x --type " any file folder && offers "leat completion " bash fish zsh && offers "leat config --schema j" job
'
test_expect 'another shell is refused with exit 2 and what there is' '
	exits 2 leat completion tcsh 2> err && has err tcsh "bash, zsh and fish"
'
test_done
