/*
 * cli/pager.h: long results through the user's pager, on a terminal only.
 */
#ifndef LEAT_CLI_PAGER_H
#define LEAT_CLI_PAGER_H

#include "base/base.h"

/* Standard output goes to the pager from here on; false if there is none. */
bool pager_start(unsigned columns);
void pager_end(void); /* waits until the reader has left */

#endif
