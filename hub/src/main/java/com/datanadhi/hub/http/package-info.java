@NullMarked
package com.datanadhi.hub.http;

import org.jspecify.annotations.NullMarked;
