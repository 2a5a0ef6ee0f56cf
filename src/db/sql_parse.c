#include "db/duck_worker.h"
int work_parse(struct work *k, struct err *e) { (void)k; return err_set(e, ERR_INTERNAL, "x"); }
