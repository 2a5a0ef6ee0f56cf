#include "base/hash.h"
#include "base/name.h"
#include "base/str.h"
#include "t.h"

static void paths(void)
{
	static const struct {
		const char *in, *out;
		bool folder;
	} good[] = {{"", "", false}, {"/", "", true}, {"//a//b.csv", "a/b.csv", false}, {"a/", "a", true},
	        {"\xc3\xa9/...", "\xc3\xa9/...", false}};
	static const char *const bad[] = {"a/../b", "..", "./a", "a\nb", "\xff", "a\x7f"};
	char out[NAME_MAX_PATH + 1] = "untouched", long_name[300];
	size_t n;
	bool folder;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err e = ERR_INIT;

		T_NO_ERR(name_path(str_of(good[i].in), out, &n, &folder, &e), &e, "path \"%s\" may be", good[i].in);
		T_OK(!strcmp(out, good[i].out) && n == strlen(out) && folder == good[i].folder,
		        "its one form is \"%s\"", good[i].out);
	}
	strcpy(out, "untouched");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		T_INT(name_path(str_of(bad[i]), out, &n, &folder, &e), -1, "bad path %zu is refused", i);
		T_ERR(&e, ERR_BAD_NAME, "", "bad path %zu is a bad name", i);
	}
	memset(long_name, 'x', sizeof(long_name));
	struct err e = ERR_INIT;
	T_INT(name_path((struct str){long_name, 256}, out, &n, NULL, &e), -1, "a name of 256 bytes is refused");
	T_STR(out, "untouched", "a refusal leaves the output alone");
	T_INT(name_path((struct str){"a\0b", 3}, out, &n, NULL, &e), -1, "a NUL byte is refused");
}

static void names(void)
{
	struct err e = ERR_INIT;

	T_NO_ERR(name_check_repo(STR("raw/trips.v2/x_1-a"), &e), &e, "a repo name has parts");
	T_NO_ERR(name_check_repo(STR("a/b/c/d/e/f/g/h"), &e), &e, "eight of them at most");
	T_INT(name_check_repo(STR("a/b/c/d/e/f/g/h/i"), &e), -1, "nine are refused");
	T_INT(name_check_repo(STR("Bad Name!"), &e), -1, "blanks are refused");
	T_ERR(&e, ERR_BAD_NAME, "Bad_Name", "the refusal proposes a name that may be");
	T_INT(name_check_repo(STR("raw//x"), &e), -1, "an empty part is refused");
	T_INT(name_check_repo(STR("raw/.x"), &e), -1, "a part that begins with a dot is refused");
	T_INT(name_check_repo(STR("raw/ds=1"), &e), -1, "a partition is no part of a name");
	T_INT(name_check_repo(STR(""), &e), -1, "the empty name is refused");
	T_NO_ERR(name_check_job(STR("daily.load-2"), &e), &e, "a job name may have dots");
	T_INT(name_check_job(STR("a/b"), &e), -1, "a job name has one part");
	T_NO_ERR(name_check_branch(STR("_x-1"), &e), &e, "a branch may begin with _");
	T_INT(name_check_branch(STR("v1.2"), &e), -1, "a branch has no dot, so that b.N is an ancestor");
}

static void hashes(void)
{
	struct sha s = sha_of("abc", 3), back;
	struct sha_ctx c;
	char hex[SHA_HEX + 1];
	uint8_t two[2] = {9, 9};

	sha_hex(&s, hex);
	T_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	        "the SHA-256 of abc is that of FIPS 180-4");
	T_OK(sha_parse(str_of(hex), &back) && sha_eq(&s, &back) && !sha_is_zero(&s), "a hash comes back from its text");
	T_OK(!sha_parse(STR("ba78"), &back) && !hex_decode(STR("xx00"), two, 2) && two[0] == 9,
	        "what is no hash is refused");
	sha_init(&c);
	sha_add(&c, "a", 1);
	sha_add(&c, "bc", 2);
	back = sha_end(&c);
	T_OK(sha_eq(&s, &back), "bytes may come in pieces");
	sha_init(&c);
	sha_field(&c, STR("ab"));
	sha_field(&c, STR("c"));
	s = sha_end(&c);
	sha_init(&c);
	sha_field(&c, STR("a"));
	sha_field(&c, STR("bc"));
	back = sha_end(&c);
	T_OK(!sha_eq(&s, &back), "fields do not run into each other");
}

int main(void)
{
	paths();
	names();
	hashes();
	return t_done();
}
