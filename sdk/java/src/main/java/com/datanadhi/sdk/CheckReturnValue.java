package com.datanadhi.sdk;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A caller that ignores the result of the method probably has a bug. Error Prone reports such
 * calls; it knows the annotation by its simple name, so that it is no dependency.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface CheckReturnValue {}
