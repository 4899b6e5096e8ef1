// How a list of functions becomes a struct of pointers that Swift can call.
#ifndef KRAIT_FUNCTION_TABLE_H
#define KRAIT_FUNCTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

// One line of a list is X(field, "symbol", return type, (parameters)).
#define KRAIT_TABLE_FIELD(field, symbol, result, parameters) result (*_Nonnull field) parameters;

#endif
