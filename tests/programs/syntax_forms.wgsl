//! Directives, attributes, nested comments, trailing commas, type aliases and inferred types.
//! out result = [11, 5, 7, 1, 10, 4]

diagnostic(off, derivative_uniformity);

/* A comment /* inside a comment */ ends here. */
alias Count = u32;
alias Row = array<Count, 3,>;
alias Rows = array<Row, 2>;

@group(0) @binding(0) var<storage, read_write,> result: Rows;

@must_use
fn pick(rows: Rows, at: Count,) -> Row {
    return rows[at];
}

@diagnostic(warning, derivative_uniformity)
@compute @workgroup_size(2, 1,)
fn main(@builtin(local_invocation_index) i: Count,) {
    let rows = Rows(Row(1, 2, 3,), Row(4u, 5u, 6u,),);
    var row = pick(rows, 1u - i,);
    let pair = vec2(7, 8u); // u32, from the suffix of its second member
    row[i] += pair[i];
    { /* a block of its own */ row[2]++; }
    result[i] = row;;
}
