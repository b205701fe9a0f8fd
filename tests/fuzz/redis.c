/*
 * What a Redis server might send. Pieces make no difference.
 */
#include "fuzz.h"

#include <string.h>

#include "redis.h"

static size_t
replies(const uint8_t *data, size_t len, size_t piece, enum redis_kind *said,
    size_t most)
{
	struct redis reader;
	size_t n = 0;
	enum redis_kind kind = REDIS_MORE;

	TRUTH(redis_start(&reader));
	for (size_t done = 0; done < len && kind != REDIS_WRONG;
	    done += piece) {
		redis_feed(&reader, (const char *)data + done,
		    len - done < piece ? len - done : piece);
		do {
			kind = redis_read(&reader);
			if (kind != REDIS_MORE && n < most)
				said[n++] = kind;
			TRUTH(memchr(reader.word, '\0', REDIS_WORD) != NULL);
		} while (kind != REDIS_MORE && kind != REDIS_WRONG);
	}
	redis_stop(&reader);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum redis_kind whole[64], pieces[64];
	size_t n = replies(data, len, len + 1, whole, 64);

	TRUTH(replies(data, len, 1, pieces, 64) == n);
	TRUTH(memcmp(whole, pieces, n * sizeof(*whole)) == 0);
	return 0;
}
