#include "base/str.h"
#include "cli/cli.h"

/*
 * The scripts ask the program itself, so they never go stale: `leat __complete WORD…` prints candidates for the last
 * word, one per line, and `leat __describe WORD…` a text behind each after a tab; a line "@files" or "@dirs" asks the
 * shell for those. What the words are, what is kept of the last one and what is quoted is each shell's own affair.
 */
static const char bash_script[] =
	"# bash completion of leat: eval \"$(leat completion bash)\"\n"
	"_leat() {\n"
	"\tlocal line cur='' keep='' before='' words=() files quote='' c i\n"
	"\tline=${COMP_LINE:0:COMP_POINT}\n"
	"\t# words as the shell takes them; keep: what bash keeps of the last one, for outside quotes\n"
	"\t# it parts words at : = @ as well, and after a quote that is open\n"
	"\tfor ((i = 0; i < ${#line}; i++)); do\n"
	"\t\tc=${line:i:1}\n"
	"\t\tif [[ $quote && $c == \"$quote\" ]]; then quote='' keep=$before\n"
	"\t\telif [[ $c == \\\\ && $quote != \"'\" ]]; then ((++i)); cur+=${line:i:1}\n"
	"\t\telif [[ $quote ]]; then cur+=$c\n"
	"\t\telif [[ $c == [\\'\\\"] ]]; then quote=$c before=$keep keep=$cur\n"
	"\t\telif [[ $c == [[:space:]] ]]; then [[ -z $cur ]] || words+=(\"$cur\"); cur='' keep=''\n"
	"\t\telif [[ $c == [:=] ]]; then cur+=$c keep=$cur\n"
	"\t\telif [[ $c == @ ]]; then keep=$cur cur+=$c # a word may begin with it\n"
	"\t\telse cur+=$c; fi\n"
	"\tdone\n"
	"\twords+=(\"$cur\")\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t@files) mapfile -t files < <(compgen -f -- \"$cur\"); COMPREPLY+=(\"${files[@]}\"); compopt -o"
	" filenames; continue ;;\n"
	"\t\t@dirs) mapfile -t files < <(compgen -d -- \"$cur\"); COMPREPLY+=(\"${files[@]}\"); compopt -o"
	" filenames; continue ;;\n"
	"\t\t*/ | *=) compopt -o nospace ;;\n"
	"\t\tesac\n"
	"\t\tline=${line#\"$keep\"}\n"
	"\t\t[[ $quote || -z $line ]] || printf -v line %q \"$line\"\n"
	"\t\tCOMPREPLY+=(\"$line\")\n"
	"\tdone < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _leat leat\n";


/* zsh parts words at blanks only, matches without quotes and quotes what it inserts. */
static const char zsh_script[] =
	"#compdef leat\n"
	"# zsh completion of leat: eval \"$(leat completion zsh)\" in ~/.zshrc, or this as a file _leat on $fpath\n"
	"_leat() {\n"
	"\tlocal line text\n"
	"\tlocal -a asked ready open ready_text open_text lines\n"
	"\tasked=(\"${(@Q)words[1,CURRENT-1]}\" \"${(Q)PREFIX}\")\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t@files) _files; continue ;;\n"
	"\t\t@dirs) _files -/; continue ;;\n"
	"\t\tesac\n"
	"\t\ttext=$line line=${line%%$'\\t'*}\n"
	"\t\t[[ $text == *$'\\t'* ]] && text=\"$line -- ${text#*$'\\t'}\" lines=(-l)\n"
	"\t\tif [[ $line == */ || $line == *= ]]; then open+=(\"$line\") open_text+=(\"$text\")\n"
	"\t\telse ready+=(\"$line\") ready_text+=(\"$text\"); fi\n"
	"\tdone < <(${~asked[1]} __describe \"${(@)asked[2,-1]}\" 2>/dev/null)\n"
	"\t(( $#ready )) && compadd -U -V leat $lines -d ready_text -a -- ready\n"
	"\t(( $#open )) && compadd -U -V leat $lines -d open_text -S '' -a -- open\n"
	"}\n"
	"if [[ ${funcstack[1]} == _leat ]]; then\n"
	"\t_leat \"$@\"\n"
	"else\n"
	"\t(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }\n"
	"\tcompdef _leat leat\n"
	"fi\n";

/* fish hands over words without quotes but for the last, and matches and quotes candidates by itself. */
static const char fish_script[] =
	"# fish completion of leat: leat completion fish | source, or this as ~/.config/fish/completions/leat.fish\n"
	"function __leat_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l raw (commandline -ct)\n"
	"\tset -l last (string unescape -- $raw; or string unescape -- $raw\\'; or string unescape -- $raw\\\")\n"
	"\tfor line in ($words[1] __describe $words[2..] \"$last\" 2>/dev/null)\n"
	"\t\tswitch $line\n"
	"\t\t\tcase @files\n"
	"\t\t\t\tcomplete -C \"leat-no-such-command $raw\"\n"
	"\t\t\tcase @dirs\n"
	"\t\t\t\tcomplete -C \"leat-no-such-command $raw\" | string match -r '.*/$'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c leat -e\n"
	"complete -c leat -f -k -a '(__leat_complete)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

const char *complete_script(struct str shell)
{
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (str_is(shell, scripts[i].shell))
			return scripts[i].script;
	return NULL;
}
