/*
 * note/driver.h: driver/driver.py, inside the program (tools/embed --text); note_zygote: with
 * driver/zygote.py behind it.
 */
#ifndef LEAT_NOTE_DRIVER_H
#define LEAT_NOTE_DRIVER_H

extern const char note_driver[];
extern const char note_zygote[];

#endif
