#!/bin/sh
# make-debian-image.sh FOLDER: a whole Debian with systemd, cloud-init and an SSH server as an image for the qemu
# driver, made of Debian's packages alone. With it a guest shows that its seed is what a real cloud-init wants.
#
#   scripts/make-debian-image.sh ~/.local/share/one/qemu/images/debian
#
# Needs root, the packages mmdebstrap, e2fsprogs and qemu-utils, 3 GB in FOLDER for a while, and 600 MB then.
set -eu
umask 022
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "only root can make the files of another system" >&2; exit 1; }
for program in mmdebstrap mke2fs qemu-img; do
    command -v "$program" >/dev/null || { echo "there is no $program; install it first" >&2; exit 1; }
done
. /etc/os-release
mkdir -p "$1"
work=$(mktemp -d -p "$1")
trap 'rm -rf "$work"' EXIT
packages=systemd-sysv,dbus,udev,locales,libnss-myhostname,cloud-init,openssh-server,sudo,iproute2,ifupdown,isc-dhcp-client,linux-image-cloud-amd64
mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" "$VERSION_CODENAME" "$work/system"
echo '/dev/vda / ext4 defaults 0 1' >"$work/system/etc/fstab"
: >"$work/system/etc/machine-id"
echo 'locale: C.UTF-8' >"$work/system/etc/cloud/cloud.cfg.d/95_image.cfg" # the only one that is there
cp "$work"/system/boot/vmlinuz-* "$1/kernel.new"
cp "$work"/system/boot/initrd.img-* "$1/initrd.new"
truncate -s 2G "$work/disk.raw"
mke2fs -q -t ext4 -d "$work/system" "$work/disk.raw"
qemu-img convert -O qcow2 "$work/disk.raw" "$1/disk.qcow2.new"
echo 'console=ttyS0 root=/dev/vda rw net.ifnames=0' >"$1/cmdline"
for file in kernel initrd disk.qcow2; do mv "$1/$file.new" "$1/$file"; done
