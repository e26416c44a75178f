// What a row plan says of a column. Plain constants: the loop over a row's columns is a switch on them.

export const int8 = 1;
export const uint8 = 2;
export const int16 = 3;
export const uint16 = 4;
export const int24 = 5;
export const uint24 = 6;
export const int32 = 7;
export const uint32 = 8;
export const int64 = 9;
export const uint64 = 10;
export const float = 11;
export const double = 12;
/** first: precision, second: scale. */
export const decimal = 13;
export const date = 14;
export const year = 15;
/** first: digits of the fraction, also of the next two. */
export const time = 16;
export const dateTime = 17;
export const timestamp = 18;
/** first: number of bits. */
export const bit = 19;
/** first: bytes of the number, also of a set. */
export const enumeration = 20;
export const set = 21;
/** Text; first: bytes of its length. Also of the next five. */
export const utf8 = 22;
/** Text in another charset. */
export const text = 23;
export const blob = 24;
/** BINARY(n), whose zero bytes at the end are not logged. second: n. */
export const padded = 25;
export const json = 26;
/** MariaDB's COMPRESSED columns, of text where there is a decoder. */
export const compressed = 27;
/** Of MariaDB, as text; bytes in the log, whose zero bytes at the end are not logged. second: how many. Also of the next two. */
export const uuid = 28;
export const inet4 = 29;
export const inet6 = 30;
