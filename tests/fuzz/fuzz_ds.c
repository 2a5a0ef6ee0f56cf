#include "base/ds.h"
#include "fuzz.h"

#define NOW 1511784000 /* 2017-11-27T12:00:00Z */

/* The first byte chooses the kind that words are read for, the rest is a label or a word. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	struct str text = {(const char *)data + 1, n - 1};
	const struct tz *z = tz_utc();
	struct ds d = {0}, folder;
	struct ds_range range;
	struct err e = ERR_INIT, e_words = ERR_INIT;
	int rc = ds_parse(text, &d, &e);

	fuzz_answered(rc, &e);
	if (rc == 0 && d.every != EVERY_NONE) {
		struct interval i = ds_interval(&d, z);
		struct ds same = ds_at(d.every, i.start, z), next = ds_add(&d, 1, z);

		FUZZ_HOLDS(i.start < i.end);
		FUZZ_HOLDS(ds_nesting(&same, &d, z) == DS_SAME || strchr(d.label, '+') || strchr(d.label + 8, '-'));
		FUZZ_HOLDS(ds_cmp(&d, &next) < 0 || strlen(next.label) != strlen(d.label));
	}
	rc = ds_words(text, EVERY_HOUR + data[0] % 4, z, NOW, &range, &e_words);
	fuzz_answered(rc, &e_words);
	if (rc == 0 && !range.newest)
		FUZZ_HOLDS(ds_cmp(&range.from, &range.to) <= 0);
	if (ds_of_folder(text, &folder))
		FUZZ_HOLDS(text.n > 3 && folder.label[0]);
	return 0;
}
