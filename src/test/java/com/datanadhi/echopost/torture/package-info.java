/// Attacks on the built program from outside, to show that nothing accepted is lost, reordered or
/// silently dropped: `scripts/torture`, and a short run of each in the test suite.
@org.jspecify.annotations.NullMarked
package com.datanadhi.echopost.torture;
