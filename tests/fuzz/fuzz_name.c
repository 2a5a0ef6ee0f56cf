#include "base/name.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n};
	char out[NAME_MAX_PATH + 1], again[NAME_MAX_PATH + 1];
	size_t len, len_again;
	bool folder;
	struct err e = ERR_INIT;
	int rc = name_path(text, out, &len, &folder, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		/* The one form of a path is its own one form, and never leaves the root. */
		FUZZ_HOLDS(len <= NAME_MAX_PATH && strlen(out) == len && out[0] != '/');
		FUZZ_HOLDS(strcmp(out, "..") && strncmp(out, "../", 3) && !strstr(out, "/../") && !strstr(out, "//"));
		FUZZ_HOLDS(name_path((struct str){out, len}, again, &len_again, &folder, &e) == 0);
		FUZZ_HOLDS(len == len_again && !memcmp(out, again, len));
	}
	int (*checks[])(struct str, struct err *) = {name_check_repo, name_check_job, name_check_branch};
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct err refused = ERR_INIT;
		fuzz_answered(checks[i](text, &refused), &refused);
	}
	return 0;
}
