// Written from the catalogue of PostgreSQL 18 by test/integration/expression/signatures.test.ts (vitest -u).

/**
 * Every function and operator of the names that the language has, also those that it refuses: `name arguments > result`.
 * What is stable may depend on settings, and is therefore not computed by the server before a statement runs.
 */
export const signatureLines = `
!~ bpchar text > bool
!~ name text > bool
!~ text text > bool
!~* bpchar text > bool
!~* name text > bool
!~* text text > bool
!~~ bpchar text > bool
!~~ bytea bytea > bool
!~~ name text > bool
!~~ text text > bool
!~~* bpchar text > bool
!~~* name text > bool
!~~* text text > bool
% int2 int2 > int2
% int4 int4 > int4
% int8 int8 > int8
% numeric numeric > numeric
* float4 float4 > float4
* float4 float8 > float8
* float4 money > money
* float8 float4 > float8
* float8 float8 > float8
* float8 interval > interval
* float8 money > money
* int2 int2 > int2
* int2 int4 > int4
* int2 int8 > int8
* int2 money > money
* int4 int2 > int4
* int4 int4 > int4
* int4 int8 > int8
* int4 money > money
* int8 int2 > int8
* int8 int4 > int8
* int8 int8 > int8
* int8 money > money
* interval float8 > interval
* money float4 > money
* money float8 > money
* money int2 > money
* money int4 > money
* money int8 > money
* numeric numeric > numeric
+ date int4 > date
+ date interval > timestamp
+ date time > timestamp
+ date timetz > timestamptz
+ float4 > float4
+ float4 float4 > float4
+ float4 float8 > float8
+ float8 > float8
+ float8 float4 > float8
+ float8 float8 > float8
+ inet int8 > inet
+ int2 > int2
+ int2 int2 > int2
+ int2 int4 > int4
+ int2 int8 > int8
+ int4 > int4
+ int4 date > date
+ int4 int2 > int4
+ int4 int4 > int4
+ int4 int8 > int8
+ int8 > int8
+ int8 inet > inet
+ int8 int2 > int8
+ int8 int4 > int8
+ int8 int8 > int8
+ interval date > timestamp
+ interval interval > interval
+ interval time > time
+ interval timestamp > timestamp
+ interval timestamptz > timestamptz stable
+ interval timetz > timetz
+ money money > money
+ numeric > numeric
+ numeric numeric > numeric
+ numeric pg_lsn > pg_lsn
+ path path > path
+ pg_lsn numeric > pg_lsn
+ time date > timestamp
+ time interval > time
+ timestamp interval > timestamp
+ timestamptz interval > timestamptz stable
+ timetz date > timestamptz
+ timetz interval > timetz
- date date > int4
- date int4 > date
- date interval > timestamp
- float4 > float4
- float4 float4 > float4
- float4 float8 > float8
- float8 > float8
- float8 float4 > float8
- float8 float8 > float8
- inet inet > int8
- inet int8 > inet
- int2 > int2
- int2 int2 > int2
- int2 int4 > int4
- int2 int8 > int8
- int4 > int4
- int4 int2 > int4
- int4 int4 > int4
- int4 int8 > int8
- int8 > int8
- int8 int2 > int8
- int8 int4 > int8
- int8 int8 > int8
- interval > interval
- interval interval > interval
- jsonb int4 > jsonb
- jsonb text > jsonb
- money money > money
- numeric > numeric
- numeric numeric > numeric
- pg_lsn numeric > pg_lsn
- pg_lsn pg_lsn > numeric
- time interval > time
- time time > interval
- timestamp interval > timestamp
- timestamp timestamp > interval
- timestamptz interval > timestamptz stable
- timestamptz timestamptz > interval
- timetz interval > timetz
-> json int4 > json
-> json text > json
-> jsonb int4 > jsonb
-> jsonb text > jsonb
->> json int4 > text
->> json text > text
->> jsonb int4 > text
->> jsonb text > text
/ float4 float4 > float4
/ float4 float8 > float8
/ float8 float4 > float8
/ float8 float8 > float8
/ int2 int2 > int2
/ int2 int4 > int4
/ int2 int8 > int8
/ int4 int2 > int4
/ int4 int4 > int4
/ int4 int8 > int8
/ int8 int2 > int8
/ int8 int4 > int8
/ int8 int8 > int8
/ interval float8 > interval
/ money float4 > money
/ money float8 > money
/ money int2 > money
/ money int4 > money
/ money int8 > money
/ money money > float8
/ numeric numeric > numeric
< bit bit > bool
< bool bool > bool
< bpchar bpchar > bool
< bytea bytea > bool
< char char > bool
< circle circle > bool
< date date > bool
< date timestamp > bool
< date timestamptz > bool stable
< float4 float4 > bool
< float4 float8 > bool
< float8 float4 > bool
< float8 float8 > bool
< inet inet > bool
< int2 int2 > bool
< int2 int4 > bool
< int2 int8 > bool
< int4 int2 > bool
< int4 int4 > bool
< int4 int8 > bool
< int8 int2 > bool
< int8 int4 > bool
< int8 int8 > bool
< interval interval > bool
< jsonb jsonb > bool
< macaddr macaddr > bool
< macaddr8 macaddr8 > bool
< money money > bool
< name name > bool
< name text > bool
< numeric numeric > bool
< oid oid > bool
< path path > bool
< pg_lsn pg_lsn > bool
< text name > bool
< text text > bool
< tid tid > bool
< time time > bool
< timestamp date > bool
< timestamp timestamp > bool
< timestamp timestamptz > bool stable
< timestamptz date > bool stable
< timestamptz timestamp > bool stable
< timestamptz timestamptz > bool
< timetz timetz > bool
< tsquery tsquery > bool
< tsvector tsvector > bool
< uuid uuid > bool
< varbit varbit > bool
< xid8 xid8 > bool
<= bit bit > bool
<= bool bool > bool
<= bpchar bpchar > bool
<= bytea bytea > bool
<= char char > bool
<= circle circle > bool
<= date date > bool
<= date timestamp > bool
<= date timestamptz > bool stable
<= float4 float4 > bool
<= float4 float8 > bool
<= float8 float4 > bool
<= float8 float8 > bool
<= inet inet > bool
<= int2 int2 > bool
<= int2 int4 > bool
<= int2 int8 > bool
<= int4 int2 > bool
<= int4 int4 > bool
<= int4 int8 > bool
<= int8 int2 > bool
<= int8 int4 > bool
<= int8 int8 > bool
<= interval interval > bool
<= jsonb jsonb > bool
<= macaddr macaddr > bool
<= macaddr8 macaddr8 > bool
<= money money > bool
<= name name > bool
<= name text > bool
<= numeric numeric > bool
<= oid oid > bool
<= path path > bool
<= pg_lsn pg_lsn > bool
<= text name > bool
<= text text > bool
<= tid tid > bool
<= time time > bool
<= timestamp date > bool
<= timestamp timestamp > bool
<= timestamp timestamptz > bool stable
<= timestamptz date > bool stable
<= timestamptz timestamp > bool stable
<= timestamptz timestamptz > bool
<= timetz timetz > bool
<= tsquery tsquery > bool
<= tsvector tsvector > bool
<= uuid uuid > bool
<= varbit varbit > bool
<= xid8 xid8 > bool
<> bit bit > bool
<> bool bool > bool
<> bpchar bpchar > bool
<> bytea bytea > bool
<> char char > bool
<> circle circle > bool
<> date date > bool
<> date timestamp > bool
<> date timestamptz > bool stable
<> float4 float4 > bool
<> float4 float8 > bool
<> float8 float4 > bool
<> float8 float8 > bool
<> inet inet > bool
<> int2 int2 > bool
<> int2 int4 > bool
<> int2 int8 > bool
<> int4 int2 > bool
<> int4 int4 > bool
<> int4 int8 > bool
<> int8 int2 > bool
<> int8 int4 > bool
<> int8 int8 > bool
<> interval interval > bool
<> jsonb jsonb > bool
<> macaddr macaddr > bool
<> macaddr8 macaddr8 > bool
<> money money > bool
<> name name > bool
<> name text > bool
<> numeric numeric > bool
<> oid oid > bool
<> pg_lsn pg_lsn > bool
<> text name > bool
<> text text > bool
<> tid tid > bool
<> time time > bool
<> timestamp date > bool
<> timestamp timestamp > bool
<> timestamp timestamptz > bool stable
<> timestamptz date > bool stable
<> timestamptz timestamp > bool stable
<> timestamptz timestamptz > bool
<> timetz timetz > bool
<> tsquery tsquery > bool
<> tsvector tsvector > bool
<> uuid uuid > bool
<> varbit varbit > bool
<> xid int4 > bool
<> xid xid > bool
<> xid8 xid8 > bool
= aclitem aclitem > bool
= bit bit > bool
= bool bool > bool
= bpchar bpchar > bool
= bytea bytea > bool
= char char > bool
= cid cid > bool
= circle circle > bool
= date date > bool
= date timestamp > bool
= date timestamptz > bool stable
= float4 float4 > bool
= float4 float8 > bool
= float8 float4 > bool
= float8 float8 > bool
= inet inet > bool
= int2 int2 > bool
= int2 int4 > bool
= int2 int8 > bool
= int4 int2 > bool
= int4 int4 > bool
= int4 int8 > bool
= int8 int2 > bool
= int8 int4 > bool
= int8 int8 > bool
= interval interval > bool
= jsonb jsonb > bool
= macaddr macaddr > bool
= macaddr8 macaddr8 > bool
= money money > bool
= name name > bool
= name text > bool
= numeric numeric > bool
= oid oid > bool
= path path > bool
= pg_lsn pg_lsn > bool
= text name > bool
= text text > bool
= tid tid > bool
= time time > bool
= timestamp date > bool
= timestamp timestamp > bool
= timestamp timestamptz > bool stable
= timestamptz date > bool stable
= timestamptz timestamp > bool stable
= timestamptz timestamptz > bool
= timetz timetz > bool
= tsquery tsquery > bool
= tsvector tsvector > bool
= uuid uuid > bool
= varbit varbit > bool
= xid int4 > bool
= xid xid > bool
= xid8 xid8 > bool
> bit bit > bool
> bool bool > bool
> bpchar bpchar > bool
> bytea bytea > bool
> char char > bool
> circle circle > bool
> date date > bool
> date timestamp > bool
> date timestamptz > bool stable
> float4 float4 > bool
> float4 float8 > bool
> float8 float4 > bool
> float8 float8 > bool
> inet inet > bool
> int2 int2 > bool
> int2 int4 > bool
> int2 int8 > bool
> int4 int2 > bool
> int4 int4 > bool
> int4 int8 > bool
> int8 int2 > bool
> int8 int4 > bool
> int8 int8 > bool
> interval interval > bool
> jsonb jsonb > bool
> macaddr macaddr > bool
> macaddr8 macaddr8 > bool
> money money > bool
> name name > bool
> name text > bool
> numeric numeric > bool
> oid oid > bool
> path path > bool
> pg_lsn pg_lsn > bool
> text name > bool
> text text > bool
> tid tid > bool
> time time > bool
> timestamp date > bool
> timestamp timestamp > bool
> timestamp timestamptz > bool stable
> timestamptz date > bool stable
> timestamptz timestamp > bool stable
> timestamptz timestamptz > bool
> timetz timetz > bool
> tsquery tsquery > bool
> tsvector tsvector > bool
> uuid uuid > bool
> varbit varbit > bool
> xid8 xid8 > bool
>= bit bit > bool
>= bool bool > bool
>= bpchar bpchar > bool
>= bytea bytea > bool
>= char char > bool
>= circle circle > bool
>= date date > bool
>= date timestamp > bool
>= date timestamptz > bool stable
>= float4 float4 > bool
>= float4 float8 > bool
>= float8 float4 > bool
>= float8 float8 > bool
>= inet inet > bool
>= int2 int2 > bool
>= int2 int4 > bool
>= int2 int8 > bool
>= int4 int2 > bool
>= int4 int4 > bool
>= int4 int8 > bool
>= int8 int2 > bool
>= int8 int4 > bool
>= int8 int8 > bool
>= interval interval > bool
>= jsonb jsonb > bool
>= macaddr macaddr > bool
>= macaddr8 macaddr8 > bool
>= money money > bool
>= name name > bool
>= name text > bool
>= numeric numeric > bool
>= oid oid > bool
>= path path > bool
>= pg_lsn pg_lsn > bool
>= text name > bool
>= text text > bool
>= tid tid > bool
>= time time > bool
>= timestamp date > bool
>= timestamp timestamp > bool
>= timestamp timestamptz > bool stable
>= timestamptz date > bool stable
>= timestamptz timestamp > bool stable
>= timestamptz timestamptz > bool
>= timetz timetz > bool
>= tsquery tsquery > bool
>= tsvector tsvector > bool
>= uuid uuid > bool
>= varbit varbit > bool
>= xid8 xid8 > bool
? jsonb text > bool
abs float4 > float4
abs float8 > float8
abs int2 > int2
abs int4 > int4
abs int8 > int8
abs numeric > numeric
ascii text > int4
bit_length bit > int4
bit_length bytea > int4
bit_length text > int4
btrim bytea bytea > bytea
btrim text > text
btrim text text > text
ceil float8 > float8
ceil numeric > numeric
ceiling float8 > float8
ceiling numeric > numeric
char_length bpchar > int4
char_length text > int4
character_length bpchar > int4
character_length text > int4
chr int4 > text
convert_from bytea name > text stable
convert_to text name > bytea stable
date_part text date > float8
date_part text interval > float8
date_part text time > float8
date_part text timestamp > float8
date_part text timestamptz > float8 stable
date_part text timetz > float8
date_trunc text interval > interval
date_trunc text timestamp > timestamp
date_trunc text timestamptz > timestamptz stable
date_trunc text timestamptz text > timestamptz
decode text text > bytea
div numeric numeric > numeric
encode bytea text > text
extract text date > numeric
extract text interval > numeric
extract text time > numeric
extract text timestamp > numeric
extract text timestamptz > numeric stable
extract text timetz > numeric
floor float8 > float8
floor numeric > numeric
initcap text > text
left text int4 > text
length bit > int4
length bpchar > int4
length bytea > int4
length bytea name > int4 stable
length path > float8
length text > int4
length tsvector > int4
like_escape bytea bytea > bytea
like_escape text text > text
lower text > text
lpad text int4 > text
lpad text int4 text > text
ltrim bytea bytea > bytea
ltrim text > text
ltrim text text > text
md5 bytea > text
md5 text > text
mod int2 int2 > int2
mod int4 int4 > int4
mod int8 int8 > int8
mod numeric numeric > numeric
octet_length bit > int4
octet_length bpchar > int4
octet_length bytea > int4
octet_length text > int4
overlay bit bit int4 > bit
overlay bit bit int4 int4 > bit
overlay bytea bytea int4 > bytea
overlay bytea bytea int4 int4 > bytea
overlay text text int4 > text
overlay text text int4 int4 > text
position bit bit > int4
position bytea bytea > int4
position text text > int4
regexp_replace text text text > text
regexp_replace text text text int4 > text
regexp_replace text text text int4 int4 > text
regexp_replace text text text int4 int4 text > text
regexp_replace text text text text > text
repeat text int4 > text
replace text text text > text
reverse bytea > bytea
reverse text > text
right text int4 > text
round float8 > float8
round numeric > numeric
round numeric int4 > numeric
rpad text int4 > text
rpad text int4 text > text
rtrim bytea bytea > bytea
rtrim text > text
rtrim text text > text
sha224 bytea > bytea
sha256 bytea > bytea
sha384 bytea > bytea
sha512 bytea > bytea
sign float8 > float8
sign numeric > numeric
split_part text text int4 > text
starts_with text text > bool
strpos text text > int4
substr bytea int4 > bytea
substr bytea int4 int4 > bytea
substr text int4 > text
substr text int4 int4 > text
substring bit int4 > bit
substring bit int4 int4 > bit
substring bytea int4 > bytea
substring bytea int4 int4 > bytea
substring text int4 > text
substring text int4 int4 > text
substring text text > text
substring text text text > text
timezone interval timestamp > timestamptz
timezone interval timestamptz > timestamp
timezone interval timetz > timetz
timezone text timestamp > timestamptz
timezone text timestamptz > timestamp
timezone text timetz > timetz stable
timezone timestamp > timestamptz stable
timezone timestamptz > timestamp stable
timezone timetz > timetz stable
to_char float4 text > text stable
to_char float8 text > text stable
to_char int4 text > text stable
to_char int8 text > text stable
to_char interval text > text stable
to_char numeric text > text stable
to_char timestamp text > text stable
to_char timestamptz text > text stable
to_hex int4 > text
to_hex int8 > text
to_timestamp float8 > timestamptz
to_timestamp text text > timestamptz stable
translate text text text > text
trim_scale numeric > numeric
trunc float8 > float8
trunc macaddr > macaddr
trunc macaddr8 > macaddr8
trunc numeric > numeric
trunc numeric int4 > numeric
upper text > text
|| anynonarray text > text stable
|| bytea bytea > bytea
|| jsonb jsonb > jsonb
|| text anynonarray > text stable
|| text text > text
|| tsquery tsquery > tsquery
|| tsvector tsvector > tsvector
|| varbit varbit > varbit
~ bit > bit
~ bpchar text > bool
~ inet > inet
~ int2 > int2
~ int4 > int4
~ int8 > int8
~ macaddr > macaddr
~ macaddr8 > macaddr8
~ name text > bool
~ text text > bool
~* bpchar text > bool
~* name text > bool
~* text text > bool
~~ bpchar text > bool
~~ bytea bytea > bool
~~ name text > bool
~~ text text > bool
~~* bpchar text > bool
~~* name text > bool
~~* text text > bool
`;

/** `type category`, whether the type is preferred within it, and whether reading and printing it are stable. */
export const typeLines = `
aclitem U reads-stable prints-stable
anynonarray P
bit V
bool B preferred
bpchar S
bytea U
char Z
cid U
circle G
date D reads-stable prints-stable
float4 N
float8 N preferred
inet I preferred
int2 N
int4 N
int8 N
interval T preferred reads-stable prints-stable
json U
jsonb U
macaddr U
macaddr8 U
money N reads-stable prints-stable
name S
numeric N
oid N preferred
path G
pg_lsn U
text S preferred
tid U
time D reads-stable
timestamp D reads-stable prints-stable
timestamptz D preferred reads-stable prints-stable
timetz D reads-stable
tsquery U
tsvector U
uuid U
varbit V preferred
varchar S
xid U
xid8 U
`;

/** `from to context`, and whether they are stable: the casts that are not made by way of text. */
export const castLines = `
bit int4 explicit
bit int8 explicit
bit varbit implicit
bool bpchar assignment
bool int4 explicit
bool text assignment
bool varchar assignment
bpchar char assignment
bpchar name implicit
bpchar text implicit
bpchar varchar implicit
bytea int2 explicit
bytea int4 explicit
bytea int8 explicit
char bpchar assignment
char int4 explicit
char text implicit
char varchar assignment
date timestamp implicit
date timestamptz implicit stable
float4 float8 implicit
float4 int2 assignment
float4 int4 assignment
float4 int8 assignment
float4 numeric assignment
float8 float4 assignment
float8 int2 assignment
float8 int4 assignment
float8 int8 assignment
float8 numeric assignment
inet bpchar assignment
inet text assignment
inet varchar assignment
int2 bytea explicit
int2 float4 implicit
int2 float8 implicit
int2 int4 implicit
int2 int8 implicit
int2 numeric implicit
int2 oid implicit
int4 bit explicit
int4 bool explicit
int4 bytea explicit
int4 char explicit
int4 float4 implicit
int4 float8 implicit
int4 int2 assignment
int4 int8 implicit
int4 money assignment stable
int4 numeric implicit
int4 oid implicit
int8 bit explicit
int8 bytea explicit
int8 float4 implicit
int8 float8 implicit
int8 int2 assignment
int8 int4 assignment
int8 money assignment stable
int8 numeric implicit
int8 oid implicit
interval time assignment
json jsonb assignment
jsonb bool explicit
jsonb float4 explicit
jsonb float8 explicit
jsonb int2 explicit
jsonb int4 explicit
jsonb int8 explicit
jsonb json assignment
jsonb numeric explicit
macaddr macaddr8 implicit
macaddr8 macaddr implicit
money numeric assignment stable
name bpchar assignment
name text implicit
name varchar assignment
numeric float4 implicit
numeric float8 implicit
numeric int2 assignment
numeric int4 assignment
numeric int8 assignment
numeric money assignment stable
oid int4 assignment
oid int8 assignment
text bpchar implicit
text char assignment
text name implicit
text varchar implicit
time interval implicit
time timetz implicit stable
timestamp date assignment
timestamp time assignment
timestamp timestamptz implicit stable
timestamptz date assignment stable
timestamptz time assignment stable
timestamptz timestamp assignment stable
timestamptz timetz assignment stable
timetz time assignment
varbit bit implicit
varchar bpchar implicit
varchar char assignment
varchar name implicit
varchar text implicit
xid8 xid explicit
`;
