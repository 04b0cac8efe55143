/// Performance measurements of the packaged program. Each figure is compared with its floors from
/// the same run: the same work on the same machine without EchoPost, reduced to the least. Start
/// reading at `Bench`.
@NullMarked
package com.datanadhi.echopost.bench;

import org.jspecify.annotations.NullMarked;
