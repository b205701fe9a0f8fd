#ifndef TEXT_H
#define TEXT_H
/*
 * Questions about short texts.
 */
#include <stdbool.h>

/* Whether word, which is not empty, is one of the words of a list, which
 * spaces part; NULL is a list without any. */
bool text_among(const char *words, const char *word);

/* Whether it has no control character of ASCII. */
bool text_clean(const char *);

#endif
