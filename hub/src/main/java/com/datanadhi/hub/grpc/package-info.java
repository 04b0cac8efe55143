@NullMarked
package com.datanadhi.hub.grpc;

import org.jspecify.annotations.NullMarked;
