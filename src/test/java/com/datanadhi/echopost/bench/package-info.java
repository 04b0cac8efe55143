/// What EchoPost costs, measured on the packaged program, each figure beside a floor from the same
/// run: the least that the same work takes on the same machine without EchoPost. Start reading at
/// `Bench`.
@NullMarked
package com.datanadhi.echopost.bench;

import org.jspecify.annotations.NullMarked;
