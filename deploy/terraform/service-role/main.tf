# What the role that kmswatch itself runs under needs: to assume the reader roles, and nothing else.

data "aws_partition" "current" {}

resource "aws_iam_role_policy" "assume_readers" {
  name = "assume-kmswatch-readers"
  role = var.role_name

  policy = templatefile("${path.module}/../policies/assume-readers.json.tftpl", {
    partition        = data.aws_partition.current.partition
    reader_role_name = var.reader_role_name
  })
}
