# tests/lib-notebook.sh: jobs of kind notebook.

# NAME [lines of job.yaml]: the notebook (percent) from standard input. Plain Python executes it, whatever is installed.
notebook() {
	local name=$1
	shift
	mkdir -p "jobs/$name" && { printf 'kind: notebook\npartition: daily\noutput: raw/%s\n' "$name" && printf '%s\n' "$@"; } >"jobs/$name/job.yaml" &&
		{ grep -q '^engine:' "jobs/$name/job.yaml" || echo 'engine: python' >>"jobs/$name/job.yaml"; } && cat >"jobs/$name/notebook.py"
}
page() { echo "datastore/job_runs/$1/ds=$2/notebook"; }
# The text of a page as a reader sees it, without its style.
seen() { sed -e 's/<style>.*<\/style>//' -e 's/<[^>]*>//g' -e 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' "$1"; }
