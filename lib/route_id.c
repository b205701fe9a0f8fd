/*
 * The name of a request, by which its answer and its line in the log are
 * found again: the caller's own, or one that is made.
 */
#include "route.h"

#include <string.h>

#include "token.h"

void
route_id(char out[ROUTE_ID_SIZE], const char *sent)
{
	size_t n = 0;

	while (sent != NULL && n < ROUTE_ID_SIZE && sent[n] > 0x20 &&
	    sent[n] < 0x7f)
		n++;
	if (n > 0 && n < ROUTE_ID_SIZE && sent[n] == '\0')
		memcpy(out, sent, n + 1);
	else
		token_uuid(out);
}
